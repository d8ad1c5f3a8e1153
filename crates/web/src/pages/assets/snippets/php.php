# php.php
