import { Argument, type Command } from "commander";
import { type Candidate, labelCandidates, renderCandidates } from "../completion/candidates.ts";
import { type AskedKind, askedKinds, completeCommand } from "../completion/value-source.ts";
import type { ToAction } from "../connection/command-context.ts";
import type { ControllerClient } from "../connection/controller-client.ts";
import { printable } from "../render/printable.ts";
import { viewNode } from "../view/node-view.ts";
import { viewOperator } from "../view/operator-view.ts";
import { viewRollout } from "../view/rollout-view.ts";

/** For how long a person who presses Tab waits for the controller, in milliseconds; what is slower is no help. */
const patienceMs = 2000;

type Asking = (client: ControllerClient, signal: AbortSignal, typed: string) => Promise<readonly Candidate[]>;

const asking: Readonly<Record<AskedKind, Asking>> = {
  node: async (client, signal) =>
    (await client.listNodes({}, signal)).nodes.map(viewNode).map(({ name, accepted, online, provedImageName }) => ({
      value: name,
      about: [
        accepted ? (online ? "online" : "offline") : "pending",
        ...(provedImageName ? [provedImageName] : []),
      ].join(", "),
    })),
  image: async (client, signal) =>
    (await client.listImages({}, signal)).images.map(({ name, operatingSystem }) => ({
      value: name,
      about: operatingSystem,
    })),
  rollout: async (client, signal) =>
    (await client.listRollouts({}, signal)).rollouts.map(viewRollout).map(({ rolloutId, state, imageName }) => ({
      value: rolloutId,
      about: `${state}, ${imageName}`,
    })),
  operator: async (client, signal) =>
    (await client.listOperators({}, signal)).operators
      .map(viewOperator)
      .map(({ name, role }) => ({ value: name, about: role })),
  authority: async (client, signal) =>
    (await client.getAuthorities({}, signal)).authorities.map(({ id, current }) => ({
      value: id,
      about: current ? "the current one" : "",
    })),
  root: async (client, signal) =>
    (await client.listRoots({}, signal)).roots.map(({ id, kernelRelease }) => ({ value: id, about: kernelRelease })),
  label: async (client, signal, typed) =>
    labelCandidates((await client.listNodes({}, signal)).nodes.map(viewNode), typed),
};

/**
 * `controller complete-values KIND [TYPED]`, which the scripts of `controller completion` call: what may stand there, a
 * line each. It fails as every command does; the scripts keep that from the terminal.
 */
export function registerCompleteValues(program: Command, toAction: ToAction): void {
  program
    .command(completeCommand, { hidden: true })
    .description("print what may stand where a shell completes a command line")
    .addArgument(new Argument("<kind>", "what is asked for").choices(askedKinds))
    .argument("[typed]", "what stands there so far", "")
    .action(
      toAction<[AskedKind, string], object>(async ({ client, signal, print }, _, kind, typed) => {
        const patience = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]);
        const candidates = await asking[kind](client, patience, typed);
        print(renderCandidates(candidates).map((line) => line.split("\t").map(printable).join("\t")));
        return undefined;
      }),
    );
}
