// COCO's packed run lengths, as the server writes them.

/** Writes `label` where the mask of a packed string is one; masks run column by column. */
export function fillRuns(
  labels: Uint8Array,
  width: number,
  height: number,
  packed: string,
  label: number,
): void {
  const counts = unpack(packed);
  let at = 0;
  counts.forEach((count, index) => {
    if (index % 2 === 1) {
      for (let pixel = at; pixel < at + count; pixel++) {
        labels[(pixel % height) * width + Math.trunc(pixel / height)] = label;
      }
    }
    at += count;
  });
}

function unpack(packed: string): number[] {
  const counts: number[] = [];
  for (let at = 0; at < packed.length; ) {
    let value = 0;
    let shift = 0;
    let bits;
    do {
      bits = packed.charCodeAt(at++) - 48;
      value |= (bits & 0x1f) << shift;
      shift += 5;
    } while (bits & 0x20);
    if (bits & 0x10) value |= -1 << shift;
    if (counts.length > 2) value += counts[counts.length - 2];
    counts.push(value);
  }
  return counts;
}
