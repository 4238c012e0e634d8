// Where everything is, and what the service takes, is read when the page starts: the same build serves every
// deployment. The file is written when the page is published, from what the deployment says of itself (web/publish.py);
// nothing in it is secret.

/** How to sign in, by OpenID Connect. */
export interface Login {
  /** As tokens name it. */
  readonly issuer: string;
  /** Its discovery document; elsewhere than the issuer's name says, where the cloud is a local one. */
  readonly discovery: string;
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
  /** Origins of the buckets, which uploads go to and stems come from. */
  readonly storage: readonly string[];
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

/**
 * Let this page connect to the addresses of its configuration alone. The policy that it is served with must name them
 * before they are known (template.yaml), and so lets through more.
 */
export function confine(config: Config): void {
  const policy = document.createElement("meta");
  policy.httpEquiv = "Content-Security-Policy";
  policy.content = `connect-src 'self' ${origins(config).join(" ")}`;
  document.head.append(policy);
}

/** Every origin that the page connects to. */
export function origins({ api, live, storage, login }: Config): string[] {
  const ofLogin = login ? [login.issuer, login.discovery, login.signOut ?? login.issuer] : [];
  return [...new Set([api, live, ...storage, ...ofLogin].map((address) => new URL(address).origin))];
}
