// Who is let in at which door: the table that callers at running programs are held against.
import assert from "node:assert/strict";
import path from "node:path";

/** What a caller is told of a method. */
export type Verdict = "taken" | "refused" | "absent" | "no connection" | "silence";

/** The program that calls everything; see there. */
export const knockProgram: string = path.join(import.meta.dirname, "knock.ts");

const standard = [
  "grpc.health.v1.Health",
  "grpc.reflection.v1.ServerReflection",
  "grpc.reflection.v1alpha.ServerReflection",
];

/** What a caller is told of each service there is. */
function told(ours: Readonly<Record<"Agent" | "Controller" | "Enrollment", Verdict>>, others: Verdict) {
  return {
    ...Object.fromEntries(Object.entries(ours).map(([name, verdict]) => [`pallet.v1.${name}Service`, verdict])),
    ...Object.fromEntries(standard.map((name) => [name, others])),
  };
}

/** What callers are told, by how far the door is open to them. */
export const openings = {
  /** The controller's unix socket to its owner, and its TCP port with --insecure. */
  "all of the controller": told({ Agent: "absent", Controller: "taken", Enrollment: "taken" }, "taken"),
  /** The controller's TCP port, to those who speak no TLS. */
  "a word about TLS": told({ Agent: "absent", Controller: "refused", Enrollment: "refused" }, "taken"),
  /** An agent to whom it obeys. */
  "all of the agent": told({ Agent: "taken", Controller: "absent", Enrollment: "absent" }, "taken"),
  /** What is shut before anything is heard. */
  nothing: told({ Agent: "no connection", Controller: "no connection", Enrollment: "no connection" }, "no connection"),
} as const;

/** What is told of single methods. */
const exceptions: Partial<Record<keyof typeof openings, Readonly<Record<string, Verdict>>>> = {
  // It is for agents with a certificate.
  "all of the controller": { "pallet.v1.EnrollmentService/EnrollResident": "refused" },
  // Listened to, so that whoever looks for the node of an older agent is told; and refused as an older agent understands it.
  "a word about TLS": { "pallet.v1.EnrollmentService/Register": "taken" },
};

/**
 * Asserts that a caller was notified of every method there is what the opening has for its service. So a new method is
 * as shut as its service, and a new service fails until someone has decided about it.
 *
 * @param output what the program has printed
 */
export function assertOpening(output: string, opening: keyof typeof openings): void {
  const verdicts = JSON.parse(output) as Record<string, Verdict>;
  const expected: Readonly<Record<string, Verdict>> = openings[opening];
  assert.deepEqual(
    verdicts,
    Object.fromEntries(
      Object.keys(verdicts).map((method) => [
        method,
        exceptions[opening]?.[method] ?? expected[method.split("/")[0] ?? ""],
      ]),
    ),
  );
  const services = new Set(Object.keys(verdicts).map((method) => method.split("/")[0]));
  assert.deepEqual([...services].sort(), Object.keys(expected).sort(), "every service, and none besides");
  assert.ok(Object.keys(verdicts).length > 30);
}
