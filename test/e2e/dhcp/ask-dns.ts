// Asks a DNS server as the resolver of a machine does, and prints what it says of each question, as JSON.
// usage: node ask-dns.ts SERVER QUESTION…   where a QUESTION is a name, AAAA:NAME or an address
import { Resolver } from "node:dns/promises";
import process from "node:process";

const [server = "", ...questions] = process.argv.slice(2);
// One try, without an end that comes before the test's own: an answer that never comes is no answer.
const resolver = new Resolver({ timeout: 60_000, tries: 1 });
resolver.setServers([server]);

const ask = (question: string): Promise<readonly string[]> => {
  if (/^[\d.]+$/.test(question)) return resolver.reverse(question);
  return question.startsWith("AAAA:") ? resolver.resolve6(question.slice(5)) : resolver.resolve4(question);
};
const answers: Record<string, readonly string[] | string> = {};
for (const question of questions) {
  answers[question] = await ask(question).catch(({ code }: NodeJS.ErrnoException) => code ?? "failed");
}
process.stdout.write(JSON.stringify(answers));
