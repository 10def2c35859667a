// Fetch a file of our own host; files whose names end in .gz come compressed, whatever the server.

// Bytes of an address as an ArrayBuffer. Some servers decompress .gz files on their way: then the
// bytes do not begin as those of a compressed file do.
export async function download(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${address} could not be fetched (${answer.status}).`);
  const bytes = await answer.arrayBuffer();
  const [first, second] = new Uint8Array(bytes, 0, Math.min(2, bytes.byteLength));
  if (first !== 0x1f || second !== 0x8b) return bytes;
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}
