// Made by scripts/generate-code.ts. DO NOT EDIT.

/** The contract that this program implements; it changes with every change of what agent and controller say to each other. */
export const contract = "pallet-contract-a8d3c617118bc744";
