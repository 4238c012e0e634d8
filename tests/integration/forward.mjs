// Runs the Worker on messages as Cloudflare would: node forward.mjs, with {env, messages} on standard input.
// Prints what became of each message.
import worker from "../../examples/r2/forward.mjs";

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const { env, messages } = JSON.parse(Buffer.concat(chunks).toString());

const outcomes = {};
const delivered = messages.map((message) => ({
  ...message,
  ack: () => { outcomes[message.id] = "acknowledged"; },
  retry: ({ delaySeconds }) => { outcomes[message.id] = delaySeconds; },
}));
await worker.queue({ messages: delivered }, env);
console.log(JSON.stringify(outcomes));
