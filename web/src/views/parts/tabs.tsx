// Tabs, one stop for the keyboard: the arrows go from one to the next.

interface Props<T> {
  label: string;
  tabs: readonly (readonly [value: T, name: string])[];
  value: T;
  /** The id of what they show. */
  panel: string;
  onChange: (value: T) => void;
}

export function Tabs<T extends string>({ label, tabs, value, panel, onChange }: Props<T>) {
  const go = (event: KeyboardEvent, place: number) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.code];
    const next = by && tabs[(place + by + tabs.length) % tabs.length];
    if (!next) return;
    event.preventDefault();
    onChange(next[0]);
    document.getElementById(`tab-${next[0]}`)?.focus();
  };
  return (
    <div class="tabs" role="tablist" aria-label={label}>
      {tabs.map(([each, name], place) => (
        <button
          key={each}
          type="button"
          role="tab"
          id={`tab-${each}`}
          aria-selected={each === value}
          aria-controls={panel}
          tabIndex={each === value ? 0 : -1}
          onClick={() => onChange(each)}
          onKeyDown={(event) => go(event, place)}
        >
          {name}
        </button>
      ))}
    </div>
  );
}
