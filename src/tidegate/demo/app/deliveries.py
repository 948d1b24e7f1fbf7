"""What the carrier tells the shop."""

import xml.etree.ElementTree as ElementTree
from subprocess import Popen, PIPE
import datetime
import tarfile


def parse(document):
    return ElementTree.fromstring(document)


def unpack(path, folder):
    with tarfile.open(path) as archive:
        archive.extractall(folder)


def label(order):
    text = f"Thank you"
    return Popen("lp -t " + order, shell=True, stdout=PIPE)
