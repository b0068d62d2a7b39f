"""Talks to a memoryos binary with the Python SDK, in both protocol eras.

Not run by `cargo test`: ARCHITECTURE.md, "How to repeat the checks with real clients", says how.
Usage: python check.py BINARY
"""

import asyncio
import sys
import tempfile

from mcp import Client, StdioServerParameters


async def check(binary: str, mode: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        env = {"MEMORYOS_USER_ID": "ada", "MEMORYOS_DATA_PATH": folder}
        async with Client(StdioServerParameters(command=binary, env=env), mode=mode) as client:
            print(f"mode {mode}: protocol {client.protocol_version}, {client.server_info.name}")
            tools = [tool.name for tool in (await client.list_tools()).tools]
            print("  tools:", ", ".join(tools))
            for animal in ["a cat called Mia", "a dog called Rex"]:
                page = {"user_input": f"I have {animal}.", "agent_response": "Noted."}
                added = await client.call_tool("add_memory", page)
                assert not added.is_error, added
            found = await client.call_tool("retrieve_memory", {"query": "the dog's name"})
            newest = [p["user_input"] for p in found.structured_content["short_term_memory"]]
            assert newest == ["I have a cat called Mia.", "I have a dog called Rex."], newest
            info = await client.call_tool("get_user_info", {})
            assert info.structured_content["memory_stats"]["total_pages"] == 2, info
            wrong = await client.call_tool("add_memory", {"user_input": "", "agent_response": ""})
            assert wrong.is_error, wrong
            for tool in ["get_user_profile", "create_user"]:
                assert not (await client.call_tool(tool, {})).is_error
            print("  add, recall, profile, create, info and a refused call: as expected")


async def main() -> None:
    for mode in ["auto", "legacy"]:
        await check(sys.argv[1], mode)


asyncio.run(main())
