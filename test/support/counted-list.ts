/** A list that counts how many of its entries were read: what is refused for its length is refused without a look at them. */
export function countedList(length: number, item: unknown): { readonly list: unknown[]; reads(): number } {
  let reads = 0;
  const list = new Proxy(new Array(length).fill(item), {
    get(target, key, receiver) {
      if (typeof key === 'string' && /^\d+$/.test(key)) reads += 1;
      return Reflect.get(target, key, receiver);
    },
  });
  return { list, reads: () => reads };
}
