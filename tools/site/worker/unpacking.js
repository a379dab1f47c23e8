/* The archives of Python modules: compressed tar files, as tools/site/packing.py writes them. */

const BLOCK = 512;
const text = new TextDecoder();

/** The files in the archive of a response: the name and the bytes of each. */
export async function unpacked(response) {
  const body = (await response).body.pipeThrough(new DecompressionStream("gzip"));
  const bytes = new Uint8Array(await new Response(body).arrayBuffer());
  const files = [];
  for (let start = 0; bytes[start]; ) {
    const field = (from, length) => text.decode(bytes.subarray(start + from, start + from + length)).replace(/\0.*/s, "");
    const size = parseInt(field(124, 12), 8);
    const name = [field(345, 155), field(0, 100)].filter(Boolean).join("/");
    files.push({ name, body: bytes.subarray(start + BLOCK, start + BLOCK + size) });
    start += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
  return files;
}
