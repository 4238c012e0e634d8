import { expect, test } from "vitest";
import { refusalOf } from "./errors.ts";
import { answerOf } from "./send.ts";

test.each([
  [409, { error: { code: "invalid_state", message: "It is completed." } }, "invalid_state", false],
  [503, { error: { code: "storage_unavailable", message: "" } }, "storage_unavailable", true],
  [401, { message: "Unauthorized" }, "signed_out", false],
  [413, { message: "Request Entity Too Large" }, "too_large", false],
  [429, { message: "Too Many Requests" }, "throttled", true],
  [503, { message: "Service Unavailable" }, "unavailable", true],
  [502, null, "unavailable", true],
])("%i with %j is %s", (status, body, code, passes) => {
  const refusal = refusalOf(status, body);
  expect([refusal.code, refusal.passes]).toEqual([code, passes]);
});

test("a refusal says from when on the same may be done, if the service does", () => {
  const body = { error: { code: "quota_exceeded", message: "You have 1,000 jobs." } };
  const { again, passes } = refusalOf(429, body, "90");
  expect(Math.abs((again?.getTime() ?? 0) - Date.now() - 90_000)).toBeLessThan(20_000);
  expect(passes).toBe(false); // nobody waits until midnight with a file in hand
  for (const header of [null, "", "soon", "-1", "1e9", "Fri, 27 Nov 2026 12:00:00 GMT"])
    expect(refusalOf(429, body, header).again).toBeNull();
});

test.each([
  [403, "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>", "link_expired"],
  [400, "<Error><Code>ExpiredToken</Code><Message>The token has expired</Message></Error>", "link_expired"],
  [400, "<Error><Code>EntityTooLarge</Code><Message>Too large</Message></Error>", "storage_refused"],
  [503, "<Error><Code>SlowDown</Code><Message>Slow down</Message></Error>", "storage_unavailable"],
])("storage's %i is %s", (status, body, code) => {
  const said = /<Message>(.*)<\/Message>/.exec(body)?.[1];
  expect(answerOf(status, body)).toMatchObject({ code, message: expect.stringContaining(said ?? "") });
});
