import { afterEach, expect, test, vi } from "vitest";
import { Auth, type Browser } from "./auth.ts";
import type { Login } from "./config.ts";

const LOGIN: Login = {
  issuer: "https://issuer.example/tenant/",
  discovery: null,
  clientId: "page",
  scope: "openid offline_access",
  audience: "stempipe",
  signOut: null,
};
const SERVER = {
  issuer: LOGIN.issuer,
  authorization_endpoint: "https://issuer.example/authorize?tenant=1",
  token_endpoint: "https://issuer.example/token",
  end_session_endpoint: "https://issuer.example/out",
};

afterEach(() => vi.unstubAllGlobals());

function browser(opened = "https://page.example/"): Browser & { went: string[]; kept: Map<string, string> } {
  const [went, kept] = [[] as string[], new Map<string, string>()];
  return {
    page: "https://page.example/",
    opened: new URL(opened),
    memory: {
      getItem: (name) => kept.get(name) ?? null,
      setItem: (name, value) => void kept.set(name, value),
      removeItem: (name) => void kept.delete(name),
    },
    go: (address) => went.push(address),
    rewrite: (address) => went.push(address),
    now: () => 0,
    went,
    kept,
  };
}

/** An issuer that answers by path. */
function issuer(answers: Record<string, unknown>): string[] {
  const asked: string[] = [];
  vi.stubGlobal("fetch", async (address: string | URL) => {
    asked.push(String(address));
    return Response.json(answers[new URL(address).pathname] ?? null);
  });
  return asked;
}

test("an issuer of one's own is asked for its endpoints, and for the API's audience", async () => {
  const asked = issuer({ "/tenant/.well-known/openid-configuration": SERVER });
  const page = browser();
  await new Auth(LOGIN, page).signIn("#/library");
  expect(asked).toEqual(["https://issuer.example/tenant/.well-known/openid-configuration"]);
  const query = Object.fromEntries(new URL(page.went[0] ?? "").searchParams);
  expect(query).toMatchObject({
    tenant: "1",
    client_id: "page",
    redirect_uri: "https://page.example/",
    response_type: "code",
    scope: "openid offline_access",
    audience: "stempipe",
    code_challenge_method: "S256",
  });
  const pending = JSON.parse(page.kept.get("stempipe.login") ?? "{}");
  expect(pending.view).toBe("#/library");
  expect([query.state, query.nonce]).toEqual([pending.state, pending.nonce]);
  expect(JSON.stringify(query)).not.toContain(pending.verifier);
});

test("another issuer than was asked is not believed", async () => {
  issuer({ "/tenant/.well-known/openid-configuration": { ...SERVER, issuer: "https://evil.example/" } });
  const page = browser();
  await expect(new Auth(LOGIN, page).signIn()).rejects.toThrow();
  expect(page.went).toEqual([]);
});

test("a page that nobody was sent back to is none that signs in", async () => {
  issuer({});
  expect(await new Auth(LOGIN, browser("https://page.example/#/stage")).returned()).toBe(false);
  expect(await new Auth(null, browser("https://page.example/?code=1&state=2")).returned()).toBe(false);
});

test("the issuer's refusal is told, and the address is clean again", async () => {
  issuer({ "/tenant/.well-known/openid-configuration": SERVER });
  const page = browser("https://page.example/?error=access_denied&state=s");
  page.kept.set("stempipe.login", JSON.stringify({ state: "s", nonce: "n", verifier: "v", view: "#/library" }));
  await expect(new Auth(LOGIN, page).returned()).rejects.toMatchObject({ code: "signed_out" });
  expect(page.went).toEqual(["https://page.example/#/library"]);
  expect(page.kept.size).toBe(0);
});

test("without a login nobody is signed in, nor can be", async () => {
  const auth = new Auth(null, browser());
  expect([auth.possible, auth.user, auth.wasSignedIn]).toEqual([false, null, false]);
  await expect(auth.signIn()).rejects.toMatchObject({ code: "signed_out" });
  await expect(auth.token()).rejects.toMatchObject({ code: "signed_out" });
});

test("signing out leads to the issuer, and back, by either's name for it", async () => {
  issuer({ "/tenant/.well-known/openid-configuration": SERVER });
  const page = browser();
  await new Auth(LOGIN, page).signOut();
  const [address, query] = (page.went[0] ?? "").split("?");
  expect(address).toBe("https://issuer.example/out");
  expect(Object.fromEntries(new URLSearchParams(query))).toEqual({
    client_id: "page",
    logout_uri: "https://page.example/",
    post_logout_redirect_uri: "https://page.example/",
  });
});
