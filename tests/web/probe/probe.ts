// The page's api room with no views: tests call it by `window.probe`, where it runs for users too, on the page's own
// address under the page's own policy.
import { Auth } from "../../../web/src/api/auth.ts";
import * as check from "../../../web/src/api/check.ts";
import { Client } from "../../../web/src/api/client.ts";
import { readConfig } from "../../../web/src/api/config.ts";
import { Live } from "../../../web/src/api/live.ts";
import { sendByXhr } from "../../../web/src/api/send.ts";
import { BrowserShelf } from "../../../web/src/api/shelf.ts";
import { Uploads } from "../../../web/src/api/uploads.ts";
import { Scope } from "../../../web/src/scope.ts";

const config = await readConfig();
const auth = new Auth(config.login);
let failure = "";
await auth.returned().catch((error: Error) => {
  failure = error.message;
});
const client = new Client(config.api, auth);

/** What a page does for whoever is signed in. */
function begin() {
  const scope = new Scope();
  const live = new Live({ client, tokens: auth, address: config.live, scope });
  const uploads = new Uploads({ client, jobs: live.jobs, owner: auth.user?.id ?? "", scope });
  window.addEventListener("online", () => {
    live.wake();
    uploads.wake();
  });
  window.addEventListener("offline", () => void live.refresh());
  return { scope, live, uploads };
}

/** The code and the words of whatever a call ends with. */
async function refusal(call: () => Promise<unknown>): Promise<{ code: string; message: string } | null> {
  try {
    await call();
    return null;
  } catch (error) {
    return { code: (error as { code?: string }).code ?? String(error), message: (error as Error).message };
  }
}

Object.assign(window, { probe: { config, auth, client, failure, begin, refusal, check, sendByXhr, BrowserShelf } });
document.querySelector("h1")?.setAttribute("data-ready", "");
