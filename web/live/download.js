// Fetch a file of our own host; files whose names end in .gz come compressed, whatever the server.

// The bytes at an address, as an ArrayBuffer.
export async function download(address) {
  return new Response(await unpacked(await answer(address))).arrayBuffer();
}

// The same, as they come over the line: `compile` unpacks them.
export async function packed(address) {
  return (await answer(address)).arrayBuffer();
}

// WebAssembly from such bytes: it is compiled while it is unpacked.
export async function compile(bytes) {
  const headers = { "content-type": "application/wasm" };
  const stream = await unpacked(new Response(bytes));
  return WebAssembly.compileStreaming(new Response(stream, { headers }));
}

async function answer(address) {
  const result = await fetch(address);
  if (!result.ok) throw new Error(`${address} could not be fetched (${result.status}).`);
  return result;
}

// What an answer holds, as a stream. Some servers decompress .gz files on their way: then the bytes
// do not begin as those of a compressed file do.
async function unpacked({ body }) {
  const reader = body.getReader();
  const { value: first } = await reader.read();
  const whole = new ReadableStream({
    start: (stream) => first && stream.enqueue(first),
    pull: async (stream) => {
      const { value, done } = await reader.read();
      if (done) stream.close();
      else stream.enqueue(value);
    },
  });
  const isPacked = first?.[0] === 0x1f && first[1] === 0x8b;
  return isPacked ? whole.pipeThrough(new DecompressionStream("gzip")) : whole;
}
