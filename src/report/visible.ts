/**
 * Text of others for a terminal or a page: control characters, which could move the cursor or the reading direction,
 * as what they are. At most `most` characters.
 */
export const visible = (text: string, most = 80): string => {
  const short = text.length > most ? `${text.slice(0, most - 1)}…` : text
  return short.replace(
    /[\u0000-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]/g,
    it => `\\u${it.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** 1536 as `1.5 KiB`. */
export const bytesText = (bytes: number): string => {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']
  const at = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10))
  const amount = bytes / 1024 ** at
  return `${at === 0 || amount >= 100 ? Math.round(amount) : amount.toFixed(1)} ${units[at]}`
}

/** 1234567 as `1,234,567`. */
export const countText = (count: number): string => String(count).replace(/\B(?=(\d{3})+$)/g, ',')
