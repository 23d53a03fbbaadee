import { LinkedList, ListNode } from "../../lib/util/linked_list.ts";
import { assert, assertEquals } from "../assert.ts";

class Guest extends ListNode<Guest> {
  readonly name: string;

  constructor(name: string) {
    super();
    this.name = name;
  }
}

const names = (list: LinkedList<Guest>) => [...list].map(({ name }) => name).join("");

function listOf(text: string) {
  const list = new LinkedList<Guest>();
  const guests = [...text].map((name) => new Guest(name));
  for (const guest of guests) list.join(guest);
  return { list, guests };
}

Deno.test("nodes are in the order in which they were added, also after others were removed", () => {
  for (let gone = 0; gone < 4; gone++) {
    const { list, guests } = listOf("abcd");
    const [guest] = guests.slice(gone);
    assert(guest && list.leave(guest));
    assertEquals(names(list), "abcd".replace(guest.name, ""));
    assertEquals(list.size, 3);
  }
});

Deno.test("removing a node twice has no effect and returns false", () => {
  const { list, guests: [first] } = listOf("ab");
  assert(first && list.leave(first));
  assert(!list.leave(first));
  assertEquals(names(list), "b");
});

Deno.test("a removed node can be added to another list, without its neighbours", () => {
  const { list, guests } = listOf("abc");
  for (const guest of guests) list.leave(guest);
  assertEquals([list.first, list.size], [undefined, 0]);
  const other = new LinkedList<Guest>();
  const [, middle] = guests;
  assert(middle && !middle.joined);
  other.join(middle);
  assertEquals(names(other), "b");
});

Deno.test("nodes may be added and removed during iteration", () => {
  const { list, guests } = listOf("abc");
  const seen: string[] = [];
  for (const { name } of list) {
    seen.push(name);
    const [, second] = guests;
    if (name === "a" && second) {
      list.leave(second);
      list.join(new Guest("d"));
    }
  }
  assertEquals(seen.join(""), "ac");
  assertEquals(names(list), "acd");
});
