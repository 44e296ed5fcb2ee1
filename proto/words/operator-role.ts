import { OperatorRole as WireRole } from "../gen/pallet/v1/controller.ts";
import { wireWords } from "./wire-words.ts";

/** What an operator may do: each role may do everything that the one before may. */
export const operatorRoleWords = ["viewer", "operator", "admin"] as const;

/** One of them. */
export type OperatorRole = (typeof operatorRoleWords)[number];

/** Roles of operators as they travel. */
export const operatorRoles = wireWords<OperatorRole, WireRole>({
  viewer: WireRole.OPERATOR_ROLE_VIEWER,
  operator: WireRole.OPERATOR_ROLE_OPERATOR,
  admin: WireRole.OPERATOR_ROLE_ADMIN,
});
