// Where everything is, and what the service takes, is read when the page starts: the same build serves every
// deployment. The file is written when the page is published, from what the deployment says of itself (web/publish.py);
// nothing in it is secret.

/** How to sign in, by OpenID Connect. */
export interface Login {
  /** As tokens name it. */
  readonly issuer: string;
  /** Its discovery document, where that is elsewhere than the issuer's name says, as on a local cloud; else null. */
  readonly discovery: string | null;
  readonly clientId: string;
  /** What is asked for, by spaces. */
  readonly scope: string;
  /** The API's name for the issuer, if it wants one. */
  readonly audience: string | null;
  /** Where to sign out, if the discovery document does not say so. */
  readonly signOut: string | null;
}

/** What the service refuses more than, and which models it has. */
export interface Limits {
  readonly bytes: number;
  readonly seconds: number;
  readonly models: readonly string[];
}

export interface Config {
  /** Base address of the HTTP API, without a slash at its end. */
  readonly api: string;
  /** Address of the WebSocket API. */
  readonly live: string;
  /** Null where nobody can sign in: the page has its built-in song alone. */
  readonly login: Login | null;
  readonly limits: Limits;
}

/**
 * Read the page's configuration.
 *
 * @throws {Error} It cannot be had; the message is for whoever runs the page.
 */
export async function readConfig(address = "config.json"): Promise<Config> {
  const answer = await fetch(address, { cache: "no-cache" });
  if (!answer.ok) throw new Error(`${address} cannot be had: ${answer.status}. Was the page published?`);
  return (await answer.json()) as Config;
}
