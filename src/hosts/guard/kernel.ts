// Forwarding, filters by the way back, ARP, whether there is IPv6. What only has to do with speed is left alone.
const harmless = /^net[./](core[./]|unix[./]|ipv4[./](tcp_|udp_|ip_local_port_range$|ip_local_reserved_ports$|ping_))/

/** May the kernel not answer us any more? */
export const cutsOff = (name: string): boolean => /^net[./]/.test(name) && !harmless.test(name)

const all =
  "grep -rs '' /proc/sys/net | grep -v -e ^/proc/sys/net/core/ -e ^/proc/sys/net/unix/ -e ^/proc/sys/net/ipv4/tcp_"

/**
 * For a command, which may set any: all of `net` that can be read. Twice on the way back, as some set others. Not with
 * the shell's own `read`: it asks byte by byte, and the kernel answers only once.
 */
export const kernelSettings = {
  save: `${all} >kernel || :`,
  back: `for n in 1 2; do
  ${all} >kernel.now
  grep -vxFf kernel.now kernel | while IFS= read -r it; do
    printf '%s\\n' "\${it#*:}" 2>/dev/null >"\${it%%:*}" || :
  done
done`,
}
