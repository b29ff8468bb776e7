/** Two columns of text, and numbers as people read them. */

export function table(rows: [string, string][]): string {
  const width = Math.max(...rows.map(([name]) => name.length))
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}\n`).join('')
}

/** Bytes in binary units. */
export function bytes(value: number): string {
  return scale(value, 1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB'])
}

export function count(value: number): string {
  return scale(value, 1000, ['', ' K', ' M', ' B', ' T'])
}

function scale(value: number, step: number, units: string[]): string {
  let unit = 0
  while (value >= step && unit < units.length - 1) {
    value /= step
    unit += 1
  }
  const digits = unit === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2
  return `${value.toFixed(digits)}${step === 1024 ? ' ' : ''}${units[unit]}`
}
