// Fetch a file of our own host; files whose names end in .gz come compressed, whatever the server.

// The bytes at an address, as an ArrayBuffer.
export async function download(address) {
  return new Response(await unpacked(address)).arrayBuffer();
}

// The WebAssembly at an address: it is compiled while it arrives.
export async function compile(address) {
  const headers = { "content-type": "application/wasm" };
  return WebAssembly.compileStreaming(new Response(await unpacked(address), { headers }));
}

// The bytes at an address, as a stream. Some servers decompress .gz files on their way: then the
// bytes do not begin as those of a compressed file do.
async function unpacked(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${address} could not be fetched (${answer.status}).`);
  const reader = answer.body.getReader();
  const { value: first } = await reader.read();
  const whole = new ReadableStream({
    start: (stream) => first && stream.enqueue(first),
    pull: async (stream) => {
      const { value, done } = await reader.read();
      if (done) stream.close();
      else stream.enqueue(value);
    },
  });
  const packed = first?.[0] === 0x1f && first[1] === 0x8b;
  return packed ? whole.pipeThrough(new DecompressionStream("gzip")) : whole;
}
