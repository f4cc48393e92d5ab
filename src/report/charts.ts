import type { Slice } from '../policy/report.ts'
import { html, type Markup } from './markup.ts'
import { countText } from './visible.ts'

const [width, height, bottom, left] = [720, 180, 22, 56]

const series = [
  { key: 'allowed', name: 'allowed' },
  { key: 'wouldDeny', name: 'would be denied' },
  { key: 'denied', name: 'denied' },
] as const

/** Requests over time as stacked bars. The numbers are in the titles of the bars and in the text for readers. */
export const timeChart = (id: string, slices: readonly Slice[]): Markup => {
  const top = Math.max(1, ...slices.map(it => it.allowed + it.denied + it.wouldDeny))
  const scale = (count: number) => (count / top) * (height - bottom - 8)
  const step = (width - left) / Math.max(1, slices.length)
  const bars = slices.map((slice, at) => {
    let base = height - bottom
    const parts = series.flatMap(({ key, name }) => {
      const size = scale(slice[key])
      if (size === 0) return []
      base -= size
      return [
        html`<rect class="${key}" x="${fixed(left + at * step)}" y="${fixed(base)}" width="${fixed(Math.max(1, step - 1))}" height="${fixed(size)}"><title>${clock(slice.start)}: ${countText(slice[key])} ${name}</title></rect>`,
      ]
    })
    return html`${parts}`
  })
  const every = Math.max(1, Math.ceil(slices.length / 8))
  const labels = slices.flatMap(({ start }, at) =>
    at % every === 0 ? [html`<text x="${fixed(left + at * step)}" y="${height - 6}">${clock(start)}</text>`] : [],
  )
  const sums = series.map(({ key, name }) => `${countText(slices.reduce((sum, it) => sum + it[key], 0))} ${name}`)
  return html`<svg viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="${id}-t ${id}-d">
<title id="${id}-t">Requests over time</title><desc id="${id}-d">${sums.join(', ')}; at most ${countText(top)} at once</desc>
<line x1="${left}" y1="${height - bottom}" x2="${width}" y2="${height - bottom}"/>
<line class="guide" x1="${left}" y1="8" x2="${width}" y2="8"/>
<text class="end" x="${left - 6}" y="14">${countText(top)}</text><text class="end" x="${left - 6}" y="${height - bottom}">0</text>
${bars}${labels}</svg>
<p class="legend">${series.map(it => html`<span><i class="${it.key}"></i>${it.name}</span>`)}</p>`
}

export type Bar = { name: string; value: number; text: string }

/** The biggest first, as bars that share one scale. */
export const barChart = (id: string, title: string, bars: readonly Bar[]): Markup => {
  const top = Math.max(1, ...bars.map(it => it.value))
  const row = 24
  const names = 300
  const rows = bars.map(
    (
      { name, value, text },
      at,
    ) => html`<text class="end" x="${names - 8}" y="${at * row + 16}">${short(name)}<title>${name}</title></text>
<rect class="bar" x="${names}" y="${at * row + 4}" width="${fixed(Math.max(1, (value / top) * (width - names - 90)))}" height="16"/>
<text x="${fixed(names + Math.max(1, (value / top) * (width - names - 90)) + 6)}" y="${at * row + 16}">${text}</text>`,
  )
  return html`<svg viewBox="0 0 ${width} ${bars.length * row + 4}" role="img" aria-labelledby="${id}-t ${id}-d">
<title id="${id}-t">${title}</title><desc id="${id}-d">${bars.map(it => `${it.name}: ${it.text}`).join(', ')}</desc>
${rows}</svg>`
}

const short = (name: string) => (name.length > 40 ? `${name.slice(0, 18)}…${name.slice(-21)}` : name)

const clock = (iso: string) => `${iso.slice(5, 10)} ${iso.slice(11, 16)}`

const fixed = (value: number) => value.toFixed(1).replace(/\.0$/, '')
