/** Where the broker listens: in root's folder, so that nobody else can put another socket in its place. */
export const brokerSocket = "/run/pallet-broker.sock";

/** The unit that opens it, for remedies. */
export const brokerUnit = "pallet-broker.socket";
