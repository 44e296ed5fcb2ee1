// Made by scripts/generate-code.ts. DO NOT EDIT.

/** The contract that this program implements; it changes with every change of what agent and controller say to each other. */
export const contract = "pallet-contract-26b8f5b54ae9ee5c";
