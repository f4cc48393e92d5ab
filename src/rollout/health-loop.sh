# Asks each proxy whether it answers, and keeps the endpoint slice behind the Service saying so. Nothing else.
# PROXIES: addresses in the order of the slice. PORT, EVERY (seconds), ASK (a URL that every proxy refuses in a way of its own), SLICE (its
# path in the API), BEAT (a directory where it writes that it is alive). FILES: a directory with the certificate to show, if any.
account=/var/run/secrets/kubernetes.io/serviceaccount
api=https://$KUBERNETES_SERVICE_HOST:$KUBERNETES_SERVICE_PORT$SLICE
host=${ASK#http://}
host=${host%%/*}
way=http soon=0.15 tls=
# A handshake is part of connecting, and Squid's own work.
[ -z "$FILES" ] || way=https soon=0.5 tls="--cacert $FILES/ca.crt --cert $FILES/tls.crt --key $FILES/tls.key"
told= rounds=0 drained= number=0 urls=
for address in $PROXIES; do
  eval "up_$number=true good_$number=0 bad_$number=0"
  urls="$urls -o /dev/null $way://$address:$PORT/"
  number=$((number + 1))
done

# 307 is what a proxy of ours answers that has a policy: a Squid that is not configured yet says 403. All are asked at once.
# A kernel takes a connection within a millisecond or two, however busy its Squid is, so that no answer to that is told soon.
ask() {
  answers=$(curl -q -s --no-progress-meter -Z --noproxy '*' --request-target "$ASK" -H "Host: $host" --connect-timeout $soon --max-time 0.6 \
    -w '%{url} %{http_code} %{exitcode}\n' $tls $urls)
}

# A closed port (7) counts at once, silence or another answer twice in a row: it may be a lost packet. Back after four answers.
# Who is in doubt is asked again without a pause.
judge() {
  number=0 doubt=false
  for address in $PROXIES; do
    eval "up=\$up_$number good=\$good_$number bad=\$bad_$number"
    case $answers in
      *"//$address:$PORT/ 000 7"*) good=0 bad=2 ;;
      *"//$address:$PORT/ 307 "*) good=$((good + 1)) bad=0 ;;
      *) good=0 bad=$((bad + 1)) ;;
    esac
    if [ $up = true ] && [ $bad -ge 2 ]; then
      up=false
      echo "$address does not answer"
    elif [ $up = false ] && [ $good -ge 4 ]; then
      up=true
      echo "$address answers again"
    fi
    [ $up = false ] || [ $bad -eq 0 ] || doubt=true
    eval "up_$number=$up good_$number=$good bad_$number=$bad"
    number=$((number + 1))
  done
}

# Ready: what is up and is not being drained; if that is none, what is up; if that is none, as it was.
choose() {
  for but in "$drained" ' '; do
    ready= some=false number=0
    for address in $PROXIES; do
      eval "up=\$up_$number"
      case $but in *" $address "*) up=false ;; esac
      [ $up = false ] || some=true
      ready="$ready $up"
      number=$((number + 1))
    done
    [ $some = false ] || return 0
  done
  ready=$told
}

# Each change holds only while the address still stands where we think. The token is read anew: it is renewed.
tell() {
  patch= number=0
  set -- $ready
  for address in $PROXIES; do
    at=/endpoints/$number
    patch="$patch${patch:+,}{\"op\":\"test\",\"path\":\"$at/addresses/0\",\"value\":\"$address\"}"
    patch="$patch,{\"op\":\"add\",\"path\":\"$at/conditions/ready\",\"value\":$1}"
    number=$((number + 1))
    shift
  done
  answer=$(printf 'header = "Authorization: Bearer %s"\n' "$(cat $account/token)" |
    curl -q -sS --fail-with-body --noproxy '*' --max-time 2 -K - --cacert $account/ca.crt -X PATCH \
      -H 'Content-Type: application/json-patch+json' --data-binary "[$patch]" "$api?fieldManager=egress-health" 2>&1) || {
    [ "$failed" = "$answer" ] || echo "the slice was not changed: $answer"
    failed=$answer told=
    return
  }
  [ "$told" = "$ready" ] || echo "ready:$ready of $PROXIES"
  told=$ready failed=
  : >"$BEAT/told"
  drained=' '
  for address in $PROXIES; do
    case $answer in *"\"drain.kapsule-egress/$address\""*) drained="$drained$address " ;; esac
  done
}

trap 'exit 0' TERM INT
while :; do
  ask
  judge
  choose
  # Now and then also when nothing changed: that tells what is being drained, and mends what others wrote.
  if [ -n "$ready" ] && { [ "$ready" != "$told" ] || [ $((rounds % 20)) -eq 0 ]; }; then tell; fi
  rounds=$((rounds + 1))
  date +%s >"$BEAT/now"
  [ $doubt = false ] || continue
  sleep "$EVERY" &
  wait $!
done
