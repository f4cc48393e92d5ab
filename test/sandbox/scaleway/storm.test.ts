import * as assert from 'uvu/assert'
import type { ScalewayState } from '../../../src/sandbox/scaleway/api.ts'
import { suite } from '../../support/suite.ts'
import { openProject } from './project.ts'
import { dangling, dice, reads, weather, writes } from './storm.ts'

const { test } = suite('sandbox scaleway: a storm')

for (const seed of [1, 2, 3]) {
  test(`whatever is asked in whatever weather (seed ${seed}), nothing breaks and nothing points nowhere`, async () => {
    const rolled = dice(seed)
    const project = await openProject({ scale: 0.002 })
    const { localImages } = await project.marketplace.listLocalImages({
      ...{ imageLabel: 'ubuntu_noble', zone: 'fr-par-1', type: 'instance_sbs' },
    })
    const image = localImages.find(it => it.arch === 'x86_64')!.id
    let state = project.scaleway.state()
    const id = (table: keyof ScalewayState) => {
      const ids = Object.keys(state[table])
      return ids[rolled.upTo(ids.length)] ?? '99999999-9999-4999-8999-999999999999'
    }
    const may = writes(id, rolled, image)
    const write = () => {
      for (;;) {
        const one = may[rolled.upTo(may.length)]!()
        if (one[0] !== 'DELETE' || rolled.upTo(4) === 0) return one
      }
    }
    const seen = new Map<number, number>()
    const broken: string[] = []
    const call = async (method: string, path: string, body?: unknown) => {
      const { status, text } = await project.raw(method, path, body).catch(() => ({ status: 0, text: '' }))
      seen.set(status, (seen.get(status) ?? 0) + 1)
      if (status === 500) broken.push(`${method} ${path}: ${text}`)
    }
    for (let round = 0; round < 400; round++) {
      if (round % 40 === 0) project.scaleway.conditions.set(weather(rolled))
      state = project.scaleway.state()
      const looks = reads(id)
      const [one, two] = [write(), write()]
      const look = looks[rolled.upTo(looks.length)]!
      await Promise.all([call(...one), call(...two), call('GET', look)])
    }
    assert.equal(broken, [])
    assert.equal(dangling(project.scaleway.state()), [])
    assert.equal(
      project.said.filter(it => !it.includes('quotas_exceeded')),
      [],
    )
    for (const status of [0, 200, 201, 202, 204, 404, 409, 412, 429])
      assert.ok((seen.get(status) ?? 0) > 0, `no ${status} in ${[...seen].join(' ')}`)
    await project.close()
  })
}
