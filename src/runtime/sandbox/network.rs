//! The network of a Pod: loopback, which has all its addresses. The kernel is asked by rtnetlink(7).

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::OwnedFd;

use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, bind, listen as begin_to_listen, recv, send,
    socket_with, sockopt,
};

const NEW_LINK: u16 = 16;
const NEW_ADDRESS: u16 = 20;
/// A request that is to be acknowledged.
const REQUEST: u16 = 0x1 | 0x4;
/// One that creates or replaces.
const CREATE: u16 = REQUEST | 0x100 | 0x400;
const UP: u32 = 1;
/// The attributes that hold an address.
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const INET: u8 = 2;
const INET6: u8 = 10;
/// As Go has it, where the kernel allows as many.
const BACKLOG: i32 = 4096;
/// The first interface of every network namespace.
const LOOPBACK: u32 = 1;

/// Where the Pod is, and where its clients come from: addresses of one network that has none of the deployment's own, of
/// those that an engine chooses too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ends {
    pub(super) pod: Ipv4Addr,
    pub(super) client: Ipv4Addr,
}

impl Ends {
    /// Apart from these addresses.
    pub(super) fn apart_from(addresses: &[IpAddr]) -> Self {
        let taken = |second: u8| {
            addresses.iter().any(|address| matches!(address, IpAddr::V4(own) if own.octets()[..2] == [172, second]))
        };
        let second = (18..32).find(|second| !taken(*second)).unwrap_or(18);
        Self { pod: Ipv4Addr::new(172, second, 0, 2), client: Ipv4Addr::new(172, second, 0, 1) }
    }
}

/// Brings loopback up, and gives it these addresses. A kernel without IPv6 can't have them all.
pub(super) fn begin(addresses: &[IpAddr]) -> io::Result<()> {
    let flags = SocketFlags::CLOEXEC;
    let kernel = socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, None)?;
    ask(&kernel, NEW_LINK, REQUEST, &link_up())?;
    for address in addresses {
        match ask(&kernel, NEW_ADDRESS, CREATE, &new_address(*address)) {
            Err(_) if address.is_ipv6() => {}
            asked => asked?,
        }
    }
    Ok(())
}

/// A TCP socket that listens as a program in Go does: at every address by both protocols, where it is told no other.
pub(super) fn listen(at: SocketAddr) -> io::Result<OwnedFd> {
    if !at.ip().is_unspecified() {
        return listen_at(at);
    }
    let port = at.port();
    listen_at((Ipv6Addr::UNSPECIFIED, port).into()).or_else(|_| listen_at((Ipv4Addr::UNSPECIFIED, port).into()))
}

fn listen_at(at: SocketAddr) -> io::Result<OwnedFd> {
    let family = if at.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = socket_with(family, SocketType::STREAM, flags, None)?;
    if at.is_ipv6() {
        sockopt::set_ipv6_v6only(&socket, !at.ip().is_unspecified())?;
    }
    sockopt::set_socket_reuseaddr(&socket, true)?;
    bind(&socket, &at)?;
    begin_to_listen(&socket, BACKLOG)?;
    Ok(socket)
}

/// `struct ifinfomsg`.
fn link_up() -> Vec<u8> {
    let mut body = vec![0; 4];
    for word in [LOOPBACK, UP, UP] {
        body.extend(word.to_ne_bytes());
    }
    body
}

/// `struct ifaddrmsg` and the address.
fn new_address(address: IpAddr) -> Vec<u8> {
    let (family, bytes, attributes) = match address {
        IpAddr::V4(own) => (INET, own.octets().to_vec(), &[IFA_LOCAL, IFA_ADDRESS][..]),
        IpAddr::V6(own) => (INET6, own.octets().to_vec(), &[IFA_ADDRESS][..]),
    };
    let length = u16::try_from(bytes.len()).unwrap_or_default();
    let bits = u8::try_from(length * 8).unwrap_or_default();
    let mut body = vec![family, bits, 0, 0];
    body.extend(LOOPBACK.to_ne_bytes());
    for attribute in attributes {
        body.extend((length + 4).to_ne_bytes());
        body.extend(attribute.to_ne_bytes());
        body.extend(&bytes);
    }
    body
}

/// Sends a request, and waits until the kernel has said what came of it.
fn ask(kernel: &OwnedFd, kind: u16, flags: u16, body: &[u8]) -> io::Result<()> {
    let length = u32::try_from(16 + body.len()).map_err(io::Error::other)?;
    let mut message = length.to_ne_bytes().to_vec();
    message.extend(kind.to_ne_bytes());
    message.extend(flags.to_ne_bytes());
    message.extend([0; 8]);
    message.extend(body);
    send(kernel, &message, SendFlags::empty())?;
    let mut answer = [0_u8; 1024];
    let (received, _) = recv(kernel, &mut answer[..], RecvFlags::empty())?;
    match answer[..received].get(16..20).and_then(|code| code.try_into().ok()).map(i32::from_ne_bytes) {
        Some(0) => Ok(()),
        Some(code) => Err(io::Error::from_raw_os_error(-code)),
        None => Err(io::ErrorKind::InvalidData.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pod_is_where_the_deployment_has_nothing() {
        let ends = |addresses: &[[u8; 4]]| {
            Ends::apart_from(&addresses.iter().map(|own| IpAddr::from(*own)).collect::<Vec<_>>()).pod.octets()
        };
        assert_eq!(ends(&[[10, 0, 0, 5]]), [172, 18, 0, 2]);
        assert_eq!(ends(&[[172, 18, 3, 4], [172, 19, 0, 1]]), [172, 20, 0, 2]);
    }

    #[test]
    fn an_address_is_a_host_of_its_own() {
        let body = new_address(IpAddr::from([10, 1, 2, 3]));
        assert_eq!((body[0], body[1], body.len()), (INET, 32, 8 + 2 * 8));
        assert_eq!(new_address(IpAddr::from([0; 16])).len(), 8 + 20);
    }
}
