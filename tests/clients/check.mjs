// Talks to a memoryos binary with the TypeScript SDKs, in both protocol eras.
//
// Not run by `cargo test`: ARCHITECTURE.md, "How to repeat the checks with real clients", says how.
// Usage: node check.mjs BINARY

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as v2 from "@modelcontextprotocol/client";
import { StdioClientTransport as StdioV2 } from "@modelcontextprotocol/client/stdio";
import * as v1 from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport as StdioV1 } from "@modelcontextprotocol/sdk/client/stdio.js";

const name = { name: "check", version: "1" };
const clients = [
  ["client 2.x, auto", StdioV2, () => new v2.Client(name, { versionNegotiation: { mode: "auto" } })],
  ["client 2.x, legacy", StdioV2, () => new v2.Client(name)],
  ["sdk 1.x", StdioV1, () => new v1.Client(name)],
];

async function check(title, Transport, makeClient) {
  const folder = mkdtempSync(join(tmpdir(), "memoryos-check-"));
  const env = { MEMORYOS_USER_ID: "ada", MEMORYOS_DATA_PATH: folder };
  const client = makeClient();
  await client.connect(new Transport({ command: process.argv[2], env }));
  const call = (tool, args) => client.callTool({ name: tool, arguments: args });
  try {
    const version = client.getNegotiatedProtocolVersion?.() ?? "not told by this client";
    console.log(`${title}: protocol ${version}, ${client.getServerVersion()?.name}`);
    const { tools } = await client.listTools();
    console.log("  tools:", tools.map((tool) => tool.name).join(", "));
    for (const animal of ["a cat called Mia", "a dog called Rex"]) {
      const page = { user_input: `I have ${animal}.`, agent_response: "Noted." };
      assert.ok(!(await call("add_memory", page)).isError);
    }
    const found = await call("retrieve_memory", { query: "the dog's name" });
    const newest = found.structuredContent.short_term_memory.map((page) => page.user_input);
    assert.deepEqual(newest, ["I have a cat called Mia.", "I have a dog called Rex."]);
    const info = await call("get_user_info", {});
    assert.equal(info.structuredContent.memory_stats.total_pages, 2);
    assert.ok((await call("add_memory", { user_input: "", agent_response: "" })).isError);
    for (const tool of ["get_user_profile", "create_user"]) {
      assert.ok(!(await call(tool, {})).isError);
    }
    console.log("  add, recall, profile, create, info and a refused call: as expected");
  } finally {
    await client.close();
    rmSync(folder, { recursive: true });
  }
}

for (const [title, Transport, makeClient] of clients) {
  await check(title, Transport, makeClient);
}
