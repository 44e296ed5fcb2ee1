/**
 * Shares readings among who ask at the same time. Each gets one that began no earlier than he asked: who asks while one is
 * under way gets the next, and so do all others until that begins. With 200 who ask at once, there are two.
 */
export function shareReadings<Result>(read: () => Promise<Result>): () => Promise<Result> {
  let current: Promise<Result> | undefined;
  let next: Promise<Result> | undefined;
  const begin = (): Promise<Result> => {
    next = undefined;
    const reading = read();
    current = reading;
    const end = (): void => {
      if (current === reading) current = undefined;
    };
    reading.then(end, end);
    return reading;
  };
  return () => {
    if (current === undefined) return begin();
    next ??= current.then(begin, begin);
    return next;
  };
}
