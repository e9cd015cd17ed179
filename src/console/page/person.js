// Who is at the desk, and what the gateway told when they sat down.
const none = { user: null, setup: false, version: '', node: '', risks: [], apps: [], models: [] };
let now = none;

export const person = () => now;
export function seat(session) {
  now = { ...none, ...session };
}

// What every page needs of the status: names for the filters and of the risks.
export function learn(status) {
  now = { ...now, risks: status.risks ?? [], apps: status.apps ?? [], models: status.models ?? [], status };
}

export const may = (permission) => Boolean(now.user?.may?.includes(permission));
export const risk_of = (id) => now.risks.find((r) => r.id === id) ?? null;
