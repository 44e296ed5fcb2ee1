/** The environment without variables that would set something of Pallet's from outside of a rack. */
export function withoutPallet(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith("PALLET_")));
}
