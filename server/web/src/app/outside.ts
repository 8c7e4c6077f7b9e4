// A value that lives outside the components, followed by them.

import { useEffect, useState } from "preact/hooks";

export function useOutside<T>(listen: (changed: () => void) => () => void, now: () => T): T {
  const [value, setValue] = useState(now);
  useEffect(() => {
    const look = () => setValue(() => now());
    look();
    return listen(look);
  }, []);
  return value;
}
