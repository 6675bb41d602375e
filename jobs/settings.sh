# Reads a file of settings as people write it: a line a run, words as a shell reads them. Nothing is carried out or
# filled in.

# read_settings FILE NUMBER leaves the words of the NUMBER-th line of settings, counted from 0, in the array
# `settings`. Blank lines and lines of comment don't count. False, with a sentence in `problem`, when there is no such
# line or its words can't be read.
read_settings() {
    local LC_ALL=C file=$1 wanted=$2 text line chosen='' number=0 count=0 lines=()
    settings=() problem=''
    [[ -f $file && -r $file ]] || { problem="cannot read the file of settings $file" && return 1; }
    if IFS= read -r -d '' text <"$file"; then
        problem="$file has NUL characters: save it as plain text (UTF-8)"
        return 1
    fi
    # What other systems' editors leave: a mark at the beginning, other ends of lines.
    text=${text#$'\xef\xbb\xbf'}
    mapfile -t lines < <(printf '%s' "${text//$'\r'/$'\n'}")
    text=''
    for line in ${lines[@]+"${lines[@]}"}; do
        number=$((number + 1))
        [[ ! $line =~ ^[[:space:]]*(#|$) ]] || continue
        ((count != wanted)) || chosen=$number text=$line
        count=$((count + 1))
    done
    [[ -n $chosen ]] || {
        problem="$file has $count lines of settings (blank ones and comments don't count), and this is run $wanted, counted from 0"
        return 1
    }
    split_words "$text" || { problem="$file, line $chosen: $problem" && return 1; }
}

# split_words LINE leaves its words in the array `settings`; false, with a sentence in `problem`, when a quote is not
# closed.
split_words() {
    local LC_ALL=C line=$1 word='' begun='' quote='' c i
    settings=()
    for ((i = 0; i < ${#line}; i++)); do
        c=${line:i:1}
        if [[ -n $quote ]]; then
            if [[ $c == "$quote" ]]; then
                quote=''
            else
                # Within "..." a backslash protects only these.
                [[ $quote$c != '"\' || ${line:i+1:1} != [\"\\\$\`] ]] || { i=$((i + 1)) && c=${line:i:1}; }
                word+=$c
            fi
        elif [[ $c == [[:space:]] ]]; then
            [[ -z $begun ]] || settings+=("$word")
            word='' begun=''
        elif [[ $c == '#' && -z $begun ]]; then
            break
        else
            begun=1
            case $c in
                \' | \") quote=$c ;;
                \\)
                    i=$((i + 1))
                    ((i < ${#line})) || { problem="it ends with a backslash; a run's settings are one line" && return 1; }
                    word+=${line:i:1}
                    ;;
                *) word+=$c ;;
            esac
        fi
    done
    [[ -z $quote ]] || { problem="a quote ($quote) is not closed; within \"...\" an apostrophe is just a character" && return 1; }
    [[ -z $begun ]] || settings+=("$word")
}
