"""What echo.js does, with the library websockets; sends fragmented messages as well, and pings in between."""

import asyncio, hashlib, itertools, json, os, sys

import websockets

BYTES = 10_000_000
SIZES = [1, 2, 3, 5, 125, 126, 127, 4095, 65_535, 65_536, 65_537, 99_991, 250_007, 1_000_003]
ID = bytes([1, 0, 0, 0, 1, 0x31])


async def send(peer, data):
    at = 0
    for turn, size in enumerate(itertools.cycle(SIZES)):
        piece = data[at : at + size]
        if turn % 3 == 0:
            # an iterable goes out as the fragments of one message, here with an empty one among them
            half = len(piece) // 2
            await peer.send([piece[:half], b"", piece[half:]])
        else:
            await peer.send(piece)
        if turn % 20 == 0:
            await (await peer.ping())
        at += size
        if at >= len(data):
            return


async def receive(peer):
    received = b""
    while len(received) < BYTES:
        received += await peer.recv()
    return received


async def main():
    data = os.urandom(BYTES)
    async with websockets.connect(sys.argv[1], subprotocols=["tlv"], max_size=None) as peer:
        _, received = await asyncio.gather(send(peer, ID + data), receive(peer))
    digests = {"sent": hashlib.sha256(data).hexdigest(), "received": hashlib.sha256(received).hexdigest()}
    print(json.dumps({**digests, "code": peer.close_code, "protocol": peer.subprotocol}))


asyncio.run(main())
