/** A secret that stands nowhere but in its file, and on a node while its task runs. */
export const canary = "canary-7d41c09e";

/** Settings with which a node may be as slow to come up as an emulated one is beside many others. */
export const unhurried = {
  reimage: { bootTimeoutMs: 1_800_000, proveTimeoutMs: 1_800_000, longestBootMs: 3_600_000 },
} as const;

const everyone = `system:
  hostname: "{{ name }}"
  users:
    - { name: ada, groups: [adm], authorizedKeysFile: keys/ada.pub, sudo: no-password }
  ssh: { enabled: true, passwordAuthentication: false }
  files:
    - { path: /etc/motd, content: "{{ name }} is number {{ index }} of rack {{ labels.rack }}, at {{ mac }}\\n" }
  units:
    - { name: fstrim.timer, state: enabled }
    - { name: systemd-pstore.service, state: masked }
  tasks:
    - name: join
      script: |
        #!/bin/sh -eu
        sha256sum <"$PALLET_SECRETS/token" >/var/lib/joined
        echo "$(hostname) joins as $ROLE"
      environment: { ROLE: "{{ labels.role }}" }
      secretFiles: { token: secrets/token }
`;

const web = `match: { labels: role=web }
priority: 1
system:
  files:
    - { path: /etc/systemd/system/greeter.service, contentFile: files/greeter.service }
    - { path: /srv/web, folder: true, owner: ada, mode: "0750" }
  units:
    - { name: greeter.service, state: enabled }
`;

const greeter = `[Unit]
Description=Greets for as long as the system runs

[Service]
User=ada
WorkingDirectory=/srv/web
ExecStart=/bin/sh -c 'echo greetings; exec sleep infinity'

[Install]
WantedBy=multi-user.target
`;

/** Every file of the profiles folder that is not made on the machine, by its path there. */
const files: Readonly<Record<string, string>> = {
  "everyone.yaml": everyone,
  "web.yaml": web,
  "files/greeter.service": greeter,
  "secrets/token": `${canary}\n`,
};

/** Commands that write the profiles beside the configuration, as a user does, and make the operator's key. */
export function renderProfileCommands(more: Readonly<Record<string, string>> = {}): string {
  const written = Object.entries({ ...files, ...more }).map(
    ([path, content]) => `mkdir -p "$(dirname ${path})"; cat >${path} <<'END OF FILE'\n${content}END OF FILE\n`,
  );
  return [
    'ssh-keygen -q -t ed25519 -N "" -C ada -f ada',
    "mkdir -p /etc/pallet/profiles/keys",
    "cp ada.pub /etc/pallet/profiles/keys/",
    "cd /etc/pallet/profiles",
    ...written,
    "chmod 600 secrets/*",
  ].join("\n");
}
