// What scripts say, in the language of the page. English needs no table: it is what
// the scripts are written in.
const { words, plural } = await table();

// What makes the server refuse in the language of the page, not in that of programs.
export const OF_PAGE = { "X-Page-Language": document.documentElement.lang };

// Return the words in the language of the page; `values` fill its {names}.
export function t(english, values = {}) {
  return filled(words[english] ?? english, values);
}

// The same for a number: `one` and `many` as English says them, with {n} inside.
export function tn(one, many, n, values = {}) {
  const forms = words[one];
  const said = forms ? forms[plural(n)] : n === 1 ? one : many;
  return filled(said, { n: n.toLocaleString(document.documentElement.lang), ...values });
}

function filled(said, values) {
  return said.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

async function table() {
  const address = document.documentElement.dataset.words;
  try {
    return address ? await import(address) : { words: {} };
  } catch {
    // A page in English is better than none.
    return { words: {} };
  }
}
