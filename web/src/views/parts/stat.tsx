// A stat: its name, a fact in words, and ten cells, of which more is better.

export interface Stat {
  readonly name: string;
  readonly fact: string;
  /** Cells that are filled, of ten. */
  readonly cells: number;
}

export function StatLine({ name, fact, cells }: Stat) {
  return (
    <div class="stat">
      <dt>{name}</dt>
      <dd>
        <span class="fact">{fact}</span>
        <span class="cells" role="img" aria-label={`${cells} of 10`}>
          {Array.from({ length: 10 }, (_, place) => (
            <i key={place} class={place < cells ? "lit" : ""} />
          ))}
        </span>
      </dd>
    </div>
  );
}
