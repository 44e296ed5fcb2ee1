/** First line of the files that the controller writes for other programs. */
export const writtenBy = "# Written by `controller serve` at every start; changes made here are lost.";
