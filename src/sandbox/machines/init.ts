/** Pid 1 of a server: what a boot does, in the order of a boot. It reaps what loses its parent, like any init. */
export const init = `#!/bin/sh
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 HOME=/root
umask 022
mkdir -p /run/sshd /run/cloud-init /var/log
for script in /etc/rcS.d/S*; do
  case $script in *ufw | *'*') ;; *) "$script" start ;; esac
done >>/var/log/boot.log 2>&1
[ ! -x /lib/ufw/ufw-init ] || /lib/ufw/ufw-init start quiet
instance=/var/lib/cloud/instance
first=no
[ -e $instance/boot-finished ] || [ ! -f $instance/first-boot.sh ] || first=yes
[ $first = no ] || sh $instance/first-boot.sh early >>/var/log/cloud-init-output.log 2>&1
hostname "$(cat /etc/hostname)"
ls /etc/ssh/ssh_host_*_key >/dev/null 2>&1 || for type in ed25519 ecdsa; do
  ssh-keygen -q -t $type -N '' -f /etc/ssh/ssh_host_\${type}_key
done
/usr/sbin/sshd -E /var/log/auth.log
for script in /etc/rc2.d/S*; do
  case $script in *ssh | *ufw | *'*') ;; *) "$script" start ;; esac
done >>/var/log/boot.log 2>&1
[ $first = no ] || sh $instance/first-boot.sh late >>/var/log/cloud-init-output.log 2>&1 &
while :; do
  sleep 86400 &
  wait $!
done
`

/** The part of cloud-init's own command that scripts wait with. */
export const cloudInitCommand = `#!/bin/sh
[ "$1" = status ] || { echo "cloud-init: this server knows only: status [--wait]" >&2; exit 2; }
finished=/var/lib/cloud/instance/boot-finished
case " $* " in *' --wait '*) while [ ! -e $finished ]; do sleep 0.1; done ;; esac
[ -e $finished ] || { echo 'status: running'; exit 0; }
if grep -q '"errors": \\[\\]' /run/cloud-init/result.json 2>/dev/null; then echo 'status: done'; exit 0; fi
[ -e /run/cloud-init/result.json ] || { echo 'status: done'; exit 0; }
echo 'status: error'
exit 1
`

/** Pid 1 of a gateway: its bastion. */
export const bastion = ['/bin/sh', '-c', 'mkdir -p /run/sshd && exec /usr/sbin/sshd -D -e -f /etc/ssh/bastion_config']
