import { at } from '../support/lab/lab.ts'
import { allowed, ask, attacks, both, connect, get } from './attack.ts'

/** What an entry says besides its name. */
export const entries = attacks(
  'entries',
  both('secret.allowed.test', 'a denial inside an allowed domain'),
  both('deep.secret.allowed.test', 'below a denial inside an allowed domain'),
  both('SECRET.allowed.TEST.', 'the same in other letters, with a dot'),
  both('topsecret.allowed.test', 'ends like a denial, without its dot', allowed),
  connect('tunnel.test:443', 'a tunnel, where only tunnels are allowed', allowed),
  get('http://tunnel.test/{id}', 'plain HTTP, where only tunnels are allowed'),
  ask('GET', 'http://read.test/{id}', 'a method that the entry names', allowed),
  ask('HEAD', 'http://read.test/{id}', 'a method that the entry names', allowed),
  ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'].map(method =>
    ask(method, 'http://read.test/{id}', 'a method that the entry does not name'),
  ),
  both('over.test', 'an entry that has expired'),
  both(at.address, 'an address that is listed as such', allowed),
  both('203.0.113.30.allowed.test', 'an address as labels of a listed name', allowed),
  both('3405803806', 'a listed address as one number is that address', allowed),
  connect('[::ffff:203.0.113.30]:443', 'a listed address, mapped, is that address', allowed),
  both('0xcb.0.113.30', 'a listed address, in part hexadecimal, is that address', allowed),
  both('203.0.113.30.', 'a listed address with a dot', allowed),
  connect(`${at.address}:22`, 'a listed address, an odd port'),
)
