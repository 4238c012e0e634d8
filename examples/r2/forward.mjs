// A Cloudflare Worker that forwards R2's notifications from their queue to Stempipe's POST /v1/events/r2,
// each signed as a Standard Webhook. See docs/r2.md.

// Seconds until a notification that could not be delivered comes again: twice as long each time.
const FIRST_RETRY = 30;
const LAST_RETRY = 900;
// Trying these again changes nothing: no such job, received before, too large, no notification.
const FINAL = [404, 409, 413, 422];

export default {
  async queue(batch, env) {
    await Promise.all(batch.messages.map((message) => forward(message, env)));
  },
};

async function forward(message, env) {
  let outcome;
  try {
    const response = await deliver(message, env);
    outcome = `${response.status} ${await response.text()}`;
    if (response.ok || FINAL.includes(response.status)) {
      if (!response.ok) console.warn(`${message.id} is dropped: ${outcome}`);
      return message.ack();
    }
  } catch (error) {
    outcome = error;
  }
  console.error(`${message.id} is tried again: ${outcome}`);
  message.retry({ delaySeconds: Math.min(FIRST_RETRY * 2 ** (message.attempts - 1), LAST_RETRY) });
}

async function deliver(message, env) {
  const body = JSON.stringify(message.body);
  const timestamp = Math.floor(Date.now() / 1000);
  return fetch(env.STEMPIPE_URL, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "webhook-id": message.id,
      "webhook-timestamp": String(timestamp),
      "webhook-signature": await sign(env.STEMPIPE_SECRET, `${message.id}.${timestamp}.${body}`),
    },
    body,
  });
}

async function sign(secret, text) {
  const bytes = Uint8Array.from(atob(secret.replace(/^whsec_/, "")), (character) => character.charCodeAt(0));
  const key = await crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const signature = await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(text));
  return `v1,${btoa(String.fromCharCode(...new Uint8Array(signature)))}`;
}
