# Stands for the upstreams of a deployment. nginx beside it answers what speaks HTTP; this answers the rest, each request
# on its own process, and writes one line of JSON for each to the container's output.
#
#   perl stubs.pl               starts DNS, nginx and itself, says that it is ready, and serves
#   perl stubs.pl mark TEXT     makes nginx write a line with the text, behind all that it has written so far
use strict;
use warnings;
use POSIX ();
use Socket qw(:DEFAULT :addrinfo IPPROTO_IPV6 IPV6_V6ONLY inet_pton pack_sockaddr_in6 MSG_PEEK);

my $home = '/proxyproof';
# How long a client may be silent before a TCP upstream speaks first, and how long a request may take, in seconds.
my ($silence, $patience) = (1, 30);

if (@ARGV) {
    my $nginx = to_socket("$home/inner/mark");
    syswrite $nginx, "GET /$ARGV[1] HTTP/1.0\r\n\r\n";
    sysread $nginx, my $answer, 65536;
    exit 0;
}

$| = 1;
$SIG{PIPE} = 'IGNORE';
my $ipv6 = do { open my $file, '<', '/proc/net/if_inet6'; $file ? join('', <$file>) =~ /^0{31}1 /m : '' };
dns();
nginx();
my @listeners = map { listeners($_) } grep { $ipv6 || $_->{address} !~ /:/ } lines("$home/plain");
# Not before, or `system` could not say how a program ended.
$SIG{CHLD} = 'IGNORE';
print "the stubs are ready\n";
serve();

# The words of each line of a file.
sub lines {
    my ($name) = @_;
    open my $file, '<', $name or return ();
    my @names = ('id', 'speaks', 'family', 'address', 'port', 'name');
    return map { chomp; my %line; @line{@names} = split /\t/; \%line } <$file>;
}

# A DNS server for each port that a resolver has. It knows the Pod's /etc/hosts and nothing else.
sub dns {
    for my $line (lines("$home/resolvers")) {
        my @addresses = grep { $ipv6 || !/:/ } split / /, $line->{address};
        my @listen = map { "--listen-address=$_" } @addresses;
        my @plain = qw(--conf-file=/dev/null --user=root --no-resolv --no-poll --bind-interfaces --pid-file=);
        system('dnsmasq', @plain, '--local=/#/', "--port=$line->{port}", @listen) == 0 or die "dnsmasq did not start: status $?\n";
    }
}

# Without IPv6 nobody can listen there.
sub nginx {
    my $config = "$home/nginx.conf";
    if (!$ipv6) {
        open my $read, '<', $config or die "$config: $!\n";
        my @kept = grep { !/^\s*listen \[/ } <$read>;
        open my $write, '>', "$config.v4" or die "$config.v4: $!\n";
        print $write @kept;
        close $write;
        $config = "$config.v4";
    }
    system('nginx', '-c', $config) == 0 or die "nginx, which stands for HTTP upstreams, did not start: status $?\n";
}

# The sockets of a stub. What speaks TCP may as well be asked by UDP: the configuration's `listen` says which.
sub listeners {
    my ($stub) = @_;
    my ($address, $family, $where) = ($stub->{address}, AF_INET, undef);
    if ($stub->{family} eq 'unix') {
        ($family, $where) = (AF_UNIX, pack_sockaddr_un($address));
    } elsif ($address =~ /:/) {
        ($family, $where) = (AF_INET6, pack_sockaddr_in6($stub->{port}, inet_pton(AF_INET6, $address)));
    } else {
        $where = pack_sockaddr_in($stub->{port}, inet_aton($address));
    }
    my @types = $stub->{speaks} eq 'tcp' && $family != AF_UNIX ? (SOCK_STREAM, SOCK_DGRAM) : (SOCK_STREAM);
    return map { listener($stub, $family, $_, $where) } @types;
}

sub listener {
    my ($stub, $family, $type, $where) = @_;
    socket my $socket, $family, $type, 0 or die "socket: $!\n";
    setsockopt $socket, SOL_SOCKET, SO_REUSEADDR, 1;
    setsockopt $socket, IPPROTO_IPV6, IPV6_V6ONLY, 1 if $family == AF_INET6;
    bind $socket, $where or die "the stub of $stub->{name} can't listen on $stub->{address} $stub->{port}: $!\n";
    listen $socket, 128 if $type == SOCK_STREAM;
    chmod 0666, $stub->{address} if $family == AF_UNIX;
    return { %$stub, socket => $socket, datagrams => $type == SOCK_DGRAM };
}

sub serve {
    my $all = '';
    vec($all, fileno $_->{socket}, 1) = 1 for @listeners;
    while (1) {
        my $found = select my $ready = $all, undef, undef, undef;
        next if $found < 1;
        for my $stub (grep { vec $ready, fileno $_->{socket}, 1 } @listeners) {
            $stub->{datagrams} ? datagram($stub) : connection($stub);
        }
    }
}

sub connection {
    my ($stub) = @_;
    accept my $client, $stub->{socket} or return;
    my $child = fork;
    return if !defined $child || $child;
    alarm $patience;
    my %speak = (fastcgi => \&fastcgi, uwsgi => \&uwsgi, scgi => \&scgi, memcached => \&memcached, tcp => \&tcp);
    $speak{ $stub->{speaks} }->($client, $stub);
    shutdown $client, 1;
    POSIX::_exit(0);
}

sub datagram {
    my ($stub) = @_;
    my $from = recv $stub->{socket}, my $text, 65536, 0;
    record($stub, protocol => 'udp', body => $text);
    send $stub->{socket}, answer($stub), 0, $from if defined $from;
}

# --- what each speaks

sub fastcgi {
    my ($client, $stub) = @_;
    my ($parameters, $body, $keep) = ('', '', 0);
    while (defined(my $head = take($client, 8))) {
        my (undef, $type, $id, $length, $padding) = unpack 'CCnnC', $head;
        my $content = take($client, $length) // return;
        take($client, $padding) // return;
        $keep = unpack('x2C', $content) & 1 if $type == 1;
        $parameters .= $content if $type == 4;
        $body .= $content if $type == 5;
        next unless $type == 5 && $length == 0;
        record_cgi($stub, 'fastcgi', $body, fastcgi_pairs($parameters));
        my $text = "Status: 200 OK\r\n" . cgi_answer($stub);
        my $out = pack('CCnnCx', 1, 6, $id, length $text, 0) . $text . pack('CCnnCx', 1, 6, $id, 0, 0);
        put($client, $out . pack('CCnnCx', 1, 3, $id, 8, 0) . pack('NCx3', 0, 0));
        return unless $keep;
        ($parameters, $body) = ('', '');
    }
}

sub fastcgi_pairs {
    my ($bytes) = @_;
    my ($at, @pairs) = (0);
    my $length = sub {
        my $first = unpack "x${at}C", $bytes;
        my $long = $first > 127;
        my $value = $long ? unpack("x${at}N", $bytes) & 0x7fffffff : $first;
        $at += $long ? 4 : 1;
        return $value;
    };
    while ($at < length $bytes) {
        my ($name, $value) = ($length->(), $length->());
        push @pairs, substr($bytes, $at, $name), substr($bytes, $at + $name, $value);
        $at += $name + $value;
    }
    return @pairs;
}

sub uwsgi {
    my ($client, $stub) = @_;
    my (undef, $size) = unpack 'Cv', take($client, 4) // return;
    my $bytes = take($client, $size) // return;
    my %variables = unpack '(v/a)*', $bytes;
    my $body = take($client, $variables{CONTENT_LENGTH} || 0) // '';
    record_cgi($stub, 'uwsgi', $body, %variables);
    put($client, "HTTP/1.1 200 OK\r\n" . cgi_answer($stub));
}

sub scgi {
    my ($client, $stub) = @_;
    my $size = '';
    while (defined(my $digit = take($client, 1))) {
        last if $digit eq ':';
        return if $digit !~ /\d/ || length $size > 7;
        $size .= $digit;
    }
    my $bytes = take($client, $size + 1) // return;
    # The last zero ends the last value; the comma behind it is the netstring's.
    my %variables = split /\0/, substr($bytes, 0, -2), -1;
    my $body = take($client, $variables{CONTENT_LENGTH} || 0) // '';
    record_cgi($stub, 'scgi', $body, %variables);
    put($client, "Status: 200 OK\r\n" . cgi_answer($stub));
}

sub memcached {
    my ($client, $stub) = @_;
    my $line = '';
    while (defined(my $byte = take($client, 1))) {
        $line .= $byte;
        next unless $line =~ s/\r?\n\z//;
        my ($command, $key) = split / /, $line;
        return if $command eq 'quit';
        record($stub, protocol => 'memcached', method => $command, uri => $key // '');
        my $value = answer($stub);
        put($client, $command =~ /^get/ ? "VALUE $key 0 " . length($value) . "\r\n$value\r\nEND\r\n" : "ERROR\r\n");
        $line = '';
    }
}

# Whatever is behind a TCP upstream: HTTP and TLS are nginx's; anything else, and silence, gets one line.
sub tcp {
    my ($client, $stub) = @_;
    my $first = '';
    recv $client, $first, 512, MSG_PEEK if readable($silence, $client);
    return splice_to($client, "$home/inner/$stub->{id}.tls") if $first =~ /^\x16\x03/;
    return splice_to($client, "$home/inner/$stub->{id}") if $first =~ m{^(PRI \*|[A-Z]{3,10} \S+) HTTP/};
    record($stub, protocol => 'tcp', body => $first);
    put($client, answer($stub) . "\n");
}

sub splice_to {
    my ($client, $socket) = @_;
    my $nginx = to_socket($socket);
    my %other = (fileno $client => $nginx, fileno $nginx => $client);
    alarm 0;
    while (%other) {
        my @readable = readable($patience, grep { $other{ fileno $_ } } $client, $nginx) or return;
        for my $from (@readable) {
            my $to = $other{ fileno $from };
            my $got = sysread $from, my $bytes, 65536;
            if ($got) { put($to, $bytes); next }
            shutdown $to, 1;
            delete $other{ fileno $from };
        }
    }
}

# --- what is written down and answered

sub answer { return '{"stub":' . quoted($_[0]{name}) . '}' }

sub cgi_answer {
    my $body = answer(@_) . "\n";
    return "Content-Type: application/json\r\nContent-Length: " . length($body) . "\r\n\r\n$body";
}

# As nginx's own lines, with the variables that are no header of the request beside them.
sub record_cgi {
    my ($stub, $protocol, $body, %variables) = @_;
    my (%headers, %parameters);
    for my $name (keys %variables) {
        if ($name =~ /^HTTP_(.+)/) {
            (my $header = lc $1) =~ tr/_/-/;
            $headers{$header} = $variables{$name};
        } else {
            $parameters{$name} = $variables{$name};
        }
    }
    my ($method, $uri) = map { $_ // '' } @variables{qw(REQUEST_METHOD REQUEST_URI)};
    record($stub, protocol => $protocol, method => $method, uri => $uri, body => $body, headers => \%headers,
        parameters => \%parameters);
}

sub record {
    my ($stub, %what) = @_;
    $what{body} = substr $what{body}, 0, 1024 if defined $what{body};
    syswrite STDOUT, qq({"stub":$stub->{id},) . join(',', map { quoted($_) . ':' . json($what{$_}) } sort keys %what) . "}\n";
}

sub json {
    my ($value) = @_;
    return quoted($value) unless ref $value;
    return '{' . join(',', map { quoted($_) . ':' . quoted($value->{$_}) } sort keys %$value) . '}';
}

# Bytes that are no ASCII are given as the characters of the same number, so that every line is valid.
sub quoted {
    my ($text) = @_;
    $text =~ s/([^ !#-\[\]-~])/sprintf '\\u%04x', ord $1/ge;
    return qq("$text");
}

# --- bytes

sub to_socket {
    my ($path) = @_;
    socket my $socket, AF_UNIX, SOCK_STREAM, 0 or die "socket: $!\n";
    connect $socket, pack_sockaddr_un($path) or die "$path: $!\n";
    return $socket;
}

# Those that can be read within the time.
sub readable {
    my ($time, @sockets) = @_;
    my $wanted = '';
    vec($wanted, fileno $_, 1) = 1 for @sockets;
    select my $ready = $wanted, undef, undef, $time;
    return grep { vec $ready, fileno $_, 1 } @sockets;
}

sub take {
    my ($socket, $length) = @_;
    my $bytes = '';
    while (length $bytes < $length) {
        sysread $socket, $bytes, $length - length $bytes, length $bytes or return undef;
    }
    return $bytes;
}

sub put {
    my ($socket, $bytes) = @_;
    while (length $bytes) {
        my $written = syswrite $socket, $bytes or return;
        substr $bytes, 0, $written, '';
    }
}
