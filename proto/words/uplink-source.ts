import { UplinkSource as WireSource } from "../gen/pallet/v1/controller.ts";
import { wireWords } from "./wire-words.ts";

/** Where the uplink's capacity comes from; see pallet.v1.UplinkSource. */
export type CapacitySource = "configured" | "cap" | "link" | "measured" | "assumed";

/** Sources as they travel. */
export const uplinkSources = wireWords<CapacitySource, WireSource>({
  configured: WireSource.UPLINK_SOURCE_CONFIGURED,
  cap: WireSource.UPLINK_SOURCE_CAP,
  link: WireSource.UPLINK_SOURCE_LINK,
  measured: WireSource.UPLINK_SOURCE_MEASURED,
  assumed: WireSource.UPLINK_SOURCE_ASSUMED,
});
