/** Both ends of a connection. */
export async function pair() {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const [near, far] = await Promise.all([
    Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port }),
    listener.accept(),
  ]);
  return { near, far, [Symbol.dispose]: () => [near, far].forEach((conn) => conn[Symbol.dispose]()) };
}
