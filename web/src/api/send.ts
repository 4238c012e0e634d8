// One file to storage, by the link that the service signed. XMLHttpRequest alone tells a page how much has been sent.

import type { UploadLink } from "./client.ts";
import { offline, Refusal } from "./errors.ts";

/**
 * Sends a file, and tells how many of its bytes have gone.
 *
 * @throws {Refusal} "offline"; "link_expired", for a link that is asked for anew; "storage_refused".
 */
export type Send = (link: UploadLink, file: Blob, sent: (bytes: number) => void, signal: AbortSignal) => Promise<void>;

export const sendByXhr: Send = (link, file, sent, signal) =>
  new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const request = new XMLHttpRequest();
    const abort = () => request.abort();
    signal.addEventListener("abort", abort);
    request.upload.onprogress = ({ loaded }) => sent(Math.min(loaded, file.size));
    request.onabort = () => reject(signal.reason);
    request.onerror = () => reject(offline());
    request.onload = () => {
      if (request.status < 300) return resolve();
      reject(answerOf(request.status, request.responseText));
    };
    request.onloadend = () => signal.removeEventListener("abort", abort);
    request.open(link.method, link.url);
    for (const [name, value] of Object.entries(link.headers)) request.setRequestHeader(name, value);
    request.send(link.method === "POST" ? formOf(link, file) : file);
  });

/** What storage's refusal means; it says so in XML. */
export function answerOf(status: number, body: string): Refusal {
  const said = /<Message>([^<]*)<\/Message>/.exec(body)?.[1] ?? String(status);
  if (status >= 500) return new Refusal("storage_unavailable", `Storage cannot take the file now: ${said}`);
  // A link may end before its time, with the credentials that signed it.
  if (status === 403 || /ExpiredToken/.test(body)) return new Refusal("link_expired", `The link has ended: ${said}`);
  return new Refusal("storage_refused", `Storage does not take the file: ${said}`);
}

function formOf(link: UploadLink, file: Blob): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(link.fields)) form.append(name, value);
  form.append("file", file); // last, as S3 wants it
  return form;
}
