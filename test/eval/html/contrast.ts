/** Runs in a page: of each visible text, its contrast to its ground, as WCAG 2.1 defines it. Needs nothing from outside of it. */
export function contrasts(selector: string): [text: string, contrast: number][] {
  const canvas = document
    .createElement('canvas')
    .getContext('2d', { willReadFrequently: true }) as CanvasRenderingContext2D
  type Color = [red: number, green: number, blue: number, alpha: number]
  function colorOf(text: string): Color {
    canvas.clearRect(0, 0, 1, 1)
    canvas.fillStyle = text
    canvas.fillRect(0, 0, 1, 1)
    return Array.from(canvas.getImageData(0, 0, 1, 1).data) as Color
  }
  function groundOf(element: Element | null): Color {
    for (let at = element; at; at = at.parentElement) {
      const ground = colorOf(getComputedStyle(at).backgroundColor)
      if (ground[3] === 255) return ground
    }
    return colorOf(getComputedStyle(document.body).backgroundColor)
  }
  function luminance([red, green, blue]: Color): number {
    const [r, g, b] = [red, green, blue].map((value) => {
      const share = value / 255
      return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
    }) as [number, number, number]
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  return [...document.querySelectorAll(selector)].flatMap((element): [string, number][] => {
    const own = [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE && node.nodeValue?.trim())
    const isDrawn = element instanceof SVGElement
    // A rim has the color of the ground.
    if (own.length === 0 || element.hasAttribute('stroke') || element.tagName === 'title') return []
    if (
      isDrawn !== selector.includes('svg') ||
      !(element as HTMLElement).checkVisibility() ||
      element.closest('option')
    )
      return []
    const style = getComputedStyle(element)
    const ground = isDrawn ? groundOf(document.body) : groundOf(element)
    const [a, b] = [colorOf(isDrawn ? style.fill : style.color), ground].map(luminance) as [number, number]
    return [[own[0]?.nodeValue ?? '', (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)]]
  })
}
