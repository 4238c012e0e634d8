"""What the rules talk to: storage, queues, connections, callbacks, Cloudflare."""
