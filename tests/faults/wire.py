"""A TCP line that can be cut, and can lead elsewhere: how an instance reaches a store.

A script of its own, given its target's port; it prints its own port, and obeys one order a line:
`cut` (what is sent gets lost in silence), `mend`, `to PORT` (new connections go there), `drop` (all that are
open break), `end` (those end under what is sent next). It ends with its standard input.
"""

import asyncio
import contextlib
import sys

PIECE = 65_536


class Wire:
    """Carries bytes between connections to its own port and the target's."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.flowing = asyncio.Event()
        self.flowing.set()
        self.ends: set[asyncio.StreamWriter] = set()
        self.ending: set[asyncio.StreamWriter] = set()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self.flowing.wait()
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.close()
            return
        self.ends |= {writer, far_writer}
        # The end of this process; Python 3.11 takes a connection that is cancelled for an error.
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))
        self.ends -= {writer, far_writer}
        self.ending -= {writer, far_writer}

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while piece := await source.read(PIECE):
                await self.flowing.wait()
                if sink in self.ending:
                    break
                sink.write(piece)
                await sink.drain()
        sink.close()

    def obey(self, order: str, *details: str) -> None:
        match order:
            case "cut":
                self.flowing.clear()
            case "mend":
                self.flowing.set()
            case "to":
                self.target = int(details[0])
            case "drop":
                for end in self.ends:
                    end.transport.abort()
            case "end":
                self.ending |= self.ends


async def main(target: int) -> None:
    wire = Wire(target)
    server = await asyncio.start_server(wire.carry, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    orders = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(orders), sys.stdin
    )
    while line := await orders.readline():
        wire.obey(*line.decode().split())
        print("done", flush=True)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
