/** Makes the entry the newest of the map, and drops the oldest if there are more than `capacity`. */
export function remember<Key, Value>(map: Map<Key, Value>, key: Key, value: Value, capacity: number): void {
  map.delete(key);
  map.set(key, value);
  const oldest = map.keys().next();
  if (map.size > capacity && oldest.done !== true) map.delete(oldest.value);
}
