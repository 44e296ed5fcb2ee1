import { formatIpv4Network } from "../ipv4.ts";
import { writtenBy } from "../written-by.ts";
import { assertExport, type NfsExport } from "./render-exports.ts";

/** TCP port of mountd; without one it changes at each start, and no firewall could let it through. */
export const ganeshaMountPort = 20_048;

/**
 * Renders the configuration of nfs-ganesha 4 (ganesha-config(8), ganesha-core-config(8), ganesha-export-config(8)).
 *
 * Nothing may be written, so nothing has to be locked (no NLM), and no client state outlives a restart (Graceless).
 * Root may read everything. Version 3 is what U-Boot-sized initramfs tools speak, version 4 what mount(8) asks for
 * first; both see the folder under its own path.
 *
 * @param folder what the exported path leads to: of a path with a symbolic link in it the server gives out nothing
 * @param stateFolder absolute path of an empty folder for what it writes
 */
export function renderGanesha(nfsExport: NfsExport, folder: string, stateFolder: string): string {
  const { path, clients } = nfsExport;
  for (const each of [path, folder, stateFolder]) assertExport({ path: each, clients });
  return `${writtenBy}
NFS_CORE_PARAM {
  Protocols = 3, 4;
  NFS_Port = 2049;
  MNT_Port = ${ganeshaMountPort};
  Enable_NLM = false;
  Enable_RQUOTA = false;
  mount_path_pseudo = true;
}
NFSV4 {
  Graceless = true;
  Only_Numeric_Owners = true;
  RecoveryBackend = fs_ng;
  RecoveryRoot = ${stateFolder};
}
EXPORT_DEFAULTS {
  Access_Type = None;
}
EXPORT {
  Export_Id = 1;
  Path = ${folder};
  Pseudo = ${path};
  Protocols = 3, 4;
  Transports = TCP, UDP;
  SecType = sys, none;
  Squash = No_Root_Squash;
  FSAL {
    Name = VFS;
  }
  CLIENT {
    Clients = ${clients.map(formatIpv4Network).join(", ")};
    Access_Type = RO;
    Squash = No_Root_Squash;
  }
}
LOG {
  Default_Log_Level = EVENT;
}
`;
}
