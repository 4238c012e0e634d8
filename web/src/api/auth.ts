// Who is signed in, by redirect: OpenID Connect's code flow with PKCE, state and nonce. Tokens are kept in memory
// alone, so that no other script, tab or later visitor finds them; what must outlive the redirect is no token.

import * as oauth from "oauth4webapi";
import type { Login } from "./config.ts";
import { offline, Refusal, signedOut } from "./errors.ts";

/** A token is renewed when it has less than this left. */
const RENEW_SECONDS = 60;
const PENDING = "stempipe.login";
const SIGNED_IN = "stempipe.signed-in";

/** What must be remembered while the issuer has the page. */
interface Pending {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  /** The page's fragment to go back to. */
  readonly view: string;
}

interface Tokens {
  readonly access: string;
  readonly refresh: string | undefined;
  readonly id: string | undefined;
  /** In milliseconds, by this computer's clock. */
  readonly got: number;
  readonly ends: number;
}

/** The browser, as far as signing in needs it. */
export interface Browser {
  /** The page's own address, without query and fragment: what the issuer sends back to. */
  readonly page: string;
  /** The address that the page was opened with. */
  readonly opened: URL;
  /** Lives as long as the tab. */
  readonly memory: Pick<Storage, "getItem" | "setItem" | "removeItem">;
  go(address: string): void;
  /** Put another address into the bar, without loading it. */
  rewrite(address: string): void;
  now(): number;
}

export function theBrowser(): Browser {
  const { origin, pathname } = window.location;
  return {
    page: origin + pathname,
    opened: new URL(window.location.href),
    memory: sessionStorage,
    go: (address) => window.location.assign(address),
    rewrite: (address) => history.replaceState(null, "", address),
    now: () => Date.now(),
  };
}

export interface User {
  /** The owner of its jobs. */
  readonly id: string;
  /** What to call them: an address, a name, or the id. */
  readonly name: string;
}

export class Auth {
  readonly #login: Login | null;
  readonly #browser: Browser;
  readonly #listeners = new Set<() => void>();
  #tokens: Tokens | null = null;
  #user: User | null = null;
  #renewing: Promise<Tokens> | null = null;
  #server: Promise<oauth.AuthorizationServer> | null = null;

  constructor(login: Login | null, browser: Browser = theBrowser()) {
    this.#login = login;
    this.#browser = browser;
  }

  /** Whether there is anywhere to sign in. */
  get possible(): boolean {
    return this.#login !== null;
  }

  /** Null while nobody is signed in. */
  get user(): User | null {
    return this.#user;
  }

  /** Whether somebody was signed in in this tab when it was loaded anew: the issuer may well know them still. */
  get wasSignedIn(): boolean {
    return this.possible && !this.#user && this.#browser.memory.getItem(SIGNED_IN) !== null;
  }

  /** Call `changed` when somebody was signed in or out; returns what ends it. */
  onChange(changed: () => void): () => void {
    this.#listeners.add(changed);
    return () => this.#listeners.delete(changed);
  }

  /** Send the browser to the issuer, to come back to a view of the page (its fragment, such as "#/library"). */
  async signIn(view = ""): Promise<void> {
    const { clientId, scope, audience } = this.#must();
    const server = await this.#discovered();
    const verifier = oauth.generateRandomCodeVerifier();
    const pending: Pending = { state: oauth.generateRandomState(), nonce: oauth.generateRandomNonce(), verifier, view };
    this.#browser.memory.setItem(PENDING, JSON.stringify(pending));
    const query = {
      response_type: "code",
      client_id: clientId,
      redirect_uri: this.#browser.page,
      scope,
      state: pending.state,
      nonce: pending.nonce,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
      ...(audience ? { audience } : {}),
    };
    this.#browser.go(withQuery(server.authorization_endpoint, query));
  }

  /**
   * Finish a sign-in, if the page was opened by the issuer. Call it once, before anything else.
   *
   * @throws {Refusal} The issuer refused, or what it sent is not the answer to what this tab asked.
   */
  async returned(): Promise<boolean> {
    const { opened, memory, page } = this.#browser;
    if (!this.#login || !(opened.searchParams.has("code") || opened.searchParams.has("error"))) return false;
    const kept = memory.getItem(PENDING);
    memory.removeItem(PENDING);
    const pending = kept ? (JSON.parse(kept) as Pending) : null;
    // A code is good once. Out of the bar it cannot be opened again, nor be sent to anybody.
    this.#browser.rewrite(page + (pending?.view ?? ""));
    if (!pending) throw new Refusal("signed_out", "This sign-in was not begun here. Sign in again.");
    const server = await this.#discovered();
    const client = { client_id: this.#login.clientId };
    try {
      const code = oauth.validateAuthResponse(server, client, opened, pending.state);
      const answer = await oauth.authorizationCodeGrantRequest(
        server,
        client,
        oauth.None(),
        code,
        page,
        pending.verifier,
        insecure(server.token_endpoint),
      );
      const nonce = { expectedNonce: pending.nonce, requireIdToken: true };
      this.#take(await oauth.processAuthorizationCodeResponse(server, client, answer, nonce));
    } catch (error) {
      if (error instanceof TypeError) throw offline();
      throw new Refusal("signed_out", `Signing in did not work: ${error instanceof Error ? error.message : error}`);
    }
    return true;
  }

  /**
   * A token that opens the API for a minute at least.
   *
   * @throws {Refusal} "signed_out", or "offline" where it cannot be renewed now.
   */
  async token(): Promise<string> {
    if (!this.#tokens) throw signedOut();
    if (this.#browser.now() < this.#tokens.ends - RENEW_SECONDS * 1000) return this.#tokens.access;
    return (await this.#renewed()).access;
  }

  /**
   * Get another token, because the API did not take this one: a browser does not show a page why it was refused. A
   * token that is new is good, so that the reason is another: then false.
   */
  async renew(refused: string): Promise<boolean> {
    if (!this.#tokens) throw signedOut();
    if (this.#tokens.access !== refused) return true;
    if (this.#browser.now() < this.#tokens.got + RENEW_SECONDS * 1000) return false;
    await this.#renewed();
    return true;
  }

  /** Nobody is signed in any more: the service says so. */
  lost(): void {
    this.#become(null, null);
  }

  /** Forget the tokens, tell the issuer, and have it forget who sits here. */
  async signOut(): Promise<void> {
    const { clientId, signOut } = this.#must();
    const { page } = this.#browser;
    const tokens = this.#tokens;
    this.#become(null, null);
    let address = signOut;
    try {
      const server = await this.#discovered();
      address ??= server.end_session_endpoint ?? null;
      if (server.revocation_endpoint && tokens?.refresh) {
        const options = insecure(server.revocation_endpoint);
        await oauth.revocationRequest(server, { client_id: clientId }, oauth.None(), tokens.refresh, options);
      }
    } catch {
      // What is not revoked ends by itself; here it is forgotten.
    }
    // Cognito has names of its own for what the standard calls post_logout_redirect_uri.
    const query = {
      client_id: clientId,
      logout_uri: page,
      post_logout_redirect_uri: page,
      ...(tokens?.id ? { id_token_hint: tokens.id } : {}),
    };
    this.#browser.go(address ? withQuery(address, query) : page);
  }

  #renewed(): Promise<Tokens> {
    this.#renewing ??= this.#renewNow().finally(() => {
      this.#renewing = null;
    });
    return this.#renewing;
  }

  async #renewNow(): Promise<Tokens> {
    const before = this.#tokens;
    if (!before) throw signedOut();
    try {
      if (!before.refresh) throw signedOut();
      const server = await this.#discovered();
      const client = { client_id: this.#must().clientId };
      const options = insecure(server.token_endpoint);
      const answer = await oauth.refreshTokenGrantRequest(server, client, oauth.None(), before.refresh, options);
      if (answer.status >= 500) throw offline();
      const fresh = await oauth.processRefreshTokenResponse(server, client, answer);
      if (this.#tokens !== before) throw signedOut(); // signed out meanwhile
      return this.#take(fresh, before);
    } catch (error) {
      // Whoever is offline is still signed in.
      if (error instanceof TypeError) throw offline();
      if (error instanceof Refusal && error.code === "offline") throw error;
      if (this.#tokens === before) this.lost();
      throw signedOut();
    }
  }

  #take(answer: oauth.TokenEndpointResponse, before?: Tokens): Tokens {
    const got = this.#browser.now();
    const tokens = {
      access: answer.access_token,
      refresh: answer.refresh_token ?? before?.refresh,
      id: answer.id_token ?? before?.id,
      got,
      ends: got + (answer.expires_in ?? 300) * 1000,
    };
    const claims = oauth.getValidatedIdTokenClaims(answer);
    this.#become(tokens, claims ? userOf(claims) : this.#user);
    return tokens;
  }

  #become(tokens: Tokens | null, user: User | null): void {
    const changed = user?.id !== this.#user?.id;
    this.#tokens = tokens;
    this.#user = user;
    if (tokens) this.#browser.memory.setItem(SIGNED_IN, "");
    else this.#browser.memory.removeItem(SIGNED_IN);
    if (changed) for (const listener of [...this.#listeners]) listener();
  }

  #discovered(): Promise<oauth.AuthorizationServer> {
    this.#server ??= discover(this.#must()).catch((error: unknown) => {
      this.#server = null;
      throw error instanceof TypeError ? offline() : error;
    });
    return this.#server;
  }

  #must(): Login {
    if (!this.#login) throw new Refusal("signed_out", "Signing in is not set up here.");
    return this.#login;
  }
}

async function discover({ issuer, discovery }: Login): Promise<oauth.AuthorizationServer> {
  const answer = await fetch(discovery ?? `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`);
  return oauth.processDiscoveryResponse(new URL(issuer), answer);
}

function withQuery(address: string | undefined, query: Readonly<Record<string, string>>): string {
  if (!address) throw new Refusal("signed_out", "The issuer does not say where to sign in.");
  const url = new URL(address);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  return url.href;
}

/** Plain HTTP is for an issuer on this machine alone. */
function insecure(address: string | undefined): { [oauth.allowInsecureRequests]?: true } {
  const { protocol, hostname } = new URL(address ?? "https://nowhere");
  const here = protocol === "http:" && ["127.0.0.1", "localhost", "[::1]"].includes(hostname);
  return here ? { [oauth.allowInsecureRequests]: true } : {};
}

function userOf(claims: oauth.IDToken): User {
  const names = [claims.email, claims.name, claims.preferred_username, claims["cognito:username"]];
  const name = names.find((value): value is string => typeof value === "string" && value !== "");
  return { id: claims.sub, name: name ?? claims.sub };
}
