/** What an id of this API looks like, for messages: "… is not ${idForm}". */
export const idForm = "1 to 64 characters of A-Za-z0-9._-";

/** Whether a text is a valid id of an operation or a rollout: it is used in paths, logs and other ids. */
export function isId(text: string): boolean {
  return /^[A-Za-z0-9._-]{1,64}$/.test(text);
}
